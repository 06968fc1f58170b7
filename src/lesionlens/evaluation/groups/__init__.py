"""Whom the model serves worse: the figures by sex, age, body site, source and estimated skin tone."""
