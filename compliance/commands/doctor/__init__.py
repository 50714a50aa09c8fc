"""Why a server can't be read: one walk to it, step by step, and what to do about the step that fails."""
