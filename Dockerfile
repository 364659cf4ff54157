# chaingraph's application. A registry mirror: --build-arg PYTHON_IMAGE=mirror.example/python:3.11-slim
# and --build-arg PIP_INDEX_URL=https://mirror.example/simple
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/run.txt requirements/
RUN python -m venv /app \
    && /app/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/run.txt
COPY pyproject.toml LICENSE ./
COPY schema schema
COPY chaingraph chaingraph
COPY ingest ingest
COPY analytics analytics
COPY fixtures fixtures
COPY server server
RUN /app/bin/pip install --quiet --no-index --no-deps --no-build-isolation .

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 chaingraph \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin chaingraph \
    && install --directory --owner 10001 --group 10001 --mode 0750 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH LANG=C.UTF-8 PYTHONUNBUFFERED=1 \
    CHAINGRAPH_STORE=sqlite:////data/chaingraph.db CHAINGRAPH_CACHE=/data/cache
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-P", "-m", "server.health"]
ENTRYPOINT ["chaingraph"]
CMD ["serve", "--host", "0.0.0.0"]
