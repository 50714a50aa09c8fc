"""`hyperv-compliance rules`: what is judged, and by what."""
