"""The analyst's page: a small local web page over run folders (docs/serve.md). Start at `server.serve`.

`holdings` finds what there is, `runs` plans in child processes, `gate` lets nobody else in, `views` answers requests.
"""
