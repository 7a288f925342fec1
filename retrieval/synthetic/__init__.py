"""Synthetic queries: sampled passages, requests to a model, checks of what it answers, and a default without a model.

passages.py   what is asked about          sampling.py   which of it
prompts.py    requests as JSON Lines       client.py     asking an endpoint, and going on where it stopped
replies.py    what came back, checked      offline.py    queries without a model
builder.py    the training set `synthetic`
"""
