"""Published maps: a result frozen as one page that opens anywhere, with its table, its sources and its downloads."""
