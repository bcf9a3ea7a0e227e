# The service: answers, downloads and the web page. It holds no torch and no Ray.
# From the repository's root: docker build -f docker/service.Dockerfile -t sprachbund-service .
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/sprachbund
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sprachbund sprachbund
COPY matrices matrices
COPY service service
RUN /opt/sprachbund/bin/pip install -c constraints.txt '.[service]'

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 sprachbund && useradd --uid 10001 --gid 10001 --create-home sprachbund \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/sprachbund /opt/sprachbund
ENV PATH=/opt/sprachbund/bin:$PATH PYTHONUNBUFFERED=1 SPRACHBUND_LOG_JSON=1
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /home/sprachbund
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
ENTRYPOINT ["sprachbund"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
