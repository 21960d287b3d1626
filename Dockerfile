# The one image of every service that is ours: Airflow's programs, MLflow, `smartinvest`.
# Its packages are those of requirements.lock, each checked against its hash. docs/cluster.md.
ARG PYTHON=python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3

FROM ${PYTHON} AS packages
# A package of the lock without a wheel is compiled here; the compiler stays behind.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements-uv.lock requirements.lock ./
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes \
        --requirement requirements-uv.lock \
    && python -m venv --without-pip /opt/venv \
    && VIRTUAL_ENV=/opt/venv /opt/uv/bin/uv pip sync --no-cache --require-hashes --compile-bytecode \
        requirements.lock
WORKDIR /opt/smartinvest
COPY . .
# An editable install: the package, the DAG files and dbt's models lie in one folder, as in a clone.
RUN VIRTUAL_ENV=/opt/venv /opt/uv/bin/uv pip install --no-cache --no-deps --no-build-isolation \
        --editable . \
    && /opt/venv/bin/python -m compileall -q /opt/smartinvest

FROM ${PYTHON}
# LightGBM's and numba's threads.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /srv/home smartinvest \
    && install --directory --owner 10001 --group 10001 /srv/home /srv/lake /srv/mlflow \
        /srv/compiled /var/log/airflow
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /opt/smartinvest /opt/smartinvest
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/smartinvest \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8
WORKDIR /opt/smartinvest
USER 10001:10001
CMD ["smartinvest", "--help"]
