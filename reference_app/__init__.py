"""A small web application whose authentication is sound, and can be broken by name.

It is what the suites are tried on: started as it is, it keeps every promise; started with a defect
(`reference_app.defects`) it breaks exactly one.
"""
