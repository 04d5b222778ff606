"""Arrays in, arrays out, over numpy, scipy and torch alone: opens no file, prints nothing, knows no brain."""
