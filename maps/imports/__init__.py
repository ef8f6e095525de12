"""Files on their way into a city's layers: received, examined, read otherwise, stored; over HTTP."""
