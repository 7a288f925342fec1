"""OAI-PMH, by which repositories give out metadata: requests, answers, and the articles in them."""
