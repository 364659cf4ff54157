"""Life data analysis: from records of lives to distributions, rates and forecasts, each with its interval.

Everything here is a function of arrays. `rows` is what all of it starts from, `distribution` what a fit is; nothing
here knows the graph (`analytics.evidence` and the analyses feed it from a view).
"""
