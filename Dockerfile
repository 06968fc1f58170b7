# Built apart, so that neither the sources nor pip's leftovers are in the image that runs.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/lesionlens
ENV PATH=/opt/lesionlens/bin:$PATH
COPY pyproject.toml README.md LICENSE* ./
COPY src ./src
# What is installed is this checkout, which has its version in itself.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[postgres]"

FROM python:3.13-slim
LABEL org.opencontainers.image.title="LesionLens" \
      org.opencontainers.image.description="Classifies photographs of skin lesions. A research tool, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin lesionlens
COPY --from=build /opt/lesionlens /opt/lesionlens
ENV PATH=/opt/lesionlens/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=5000 \
    LESIONLENS_HOST=0.0.0.0 \
    LESIONLENS_LOG_FORMAT=json
USER 10001
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=4)"]
CMD ["lesionlens", "serve"]
