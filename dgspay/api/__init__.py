"""Every call of the API, one file per area: functions that check and return an Operation."""
