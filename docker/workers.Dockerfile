# The workers: everything that trains and measures, and Ray's head and nodes.
# From the repository's root: docker build -f docker/workers.Dockerfile -t sprachbund-workers .
# torch comes with CUDA; for machines without a GPU, a third of the size, add
#   --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu --build-arg TORCH=torch==2.13.0+cpu
FROM python:3.11-slim-bookworm AS build
ARG PIP_EXTRA_INDEX_URL=
ARG TORCH=torch==2.13.0
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/sprachbund && /opt/sprachbund/bin/pip install "$TORCH"
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sprachbund sprachbund
COPY matrices matrices
COPY adapters_zoo adapters_zoo
COPY workers workers
RUN /opt/sprachbund/bin/pip install -c constraints.txt '.[workers]'

FROM python:3.11-slim-bookworm
# What probes a node, KubeRay's own probes too, is wget; Debian keeps one release of it a distribution.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends wget && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 sprachbund && useradd --uid 10001 --gid 10001 --create-home sprachbund \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/sprachbund /opt/sprachbund
ENV PATH=/opt/sprachbund/bin:$PATH PYTHONUNBUFFERED=1 SPRACHBUND_LOG_JSON=1 \
    RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 RAY_ENABLE_UV_RUN_RUNTIME_ENV=0
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /home/sprachbund
CMD ["sprachbund", "--help"]
