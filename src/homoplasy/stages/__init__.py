"""The entry points of the pipeline: settings and files in, one function called, files out."""
