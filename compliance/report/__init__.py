"""Writers: functions from verdicts to text."""
