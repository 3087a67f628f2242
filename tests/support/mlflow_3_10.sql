-- Written by MLflow 3.10.0: the tables that sqlite_reader.py reads, with an experiment and three
-- runs, one of them deleted.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('1b5f0d9ad7c1');
CREATE TABLE "experiments" (
    experiment_id INTEGER NOT NULL,
    name VARCHAR(256) NOT NULL,
    artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32),
    creation_time BIGINT,
    last_update_time BIGINT,
    workspace VARCHAR(63) DEFAULT 'default' NOT NULL,
    CONSTRAINT experiment_pk PRIMARY KEY (experiment_id),
    CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO experiments VALUES (0, 'Default', '/tmp/mlruns/0', 'active', 1795760997853, 1795760997853, 'default');
INSERT INTO experiments VALUES (1, 'here', 'file:///home/ada/mlruns/artifacts', 'active', 1795760997906, 1795760997906, 'default');
CREATE TABLE "runs" (
    run_uuid VARCHAR(32) NOT NULL,
    name VARCHAR(250),
    source_type VARCHAR(20),
    source_name VARCHAR(500),
    entry_point_name VARCHAR(50),
    user_id VARCHAR(256),
    status VARCHAR(9),
    start_time BIGINT,
    end_time BIGINT,
    source_version VARCHAR(50),
    lifecycle_stage VARCHAR(20),
    artifact_uri VARCHAR(200),
    experiment_id INTEGER, deleted_time BIGINT,
    CONSTRAINT run_pk PRIMARY KEY (run_uuid),
    CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
    CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')),
    FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id),
    CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO runs VALUES ('78d6b91735d249d6924f4e01c898b52c', 'sassy-asp-844', 'UNKNOWN', '', '', 'unknown', 'FINISHED', 1795760997979, 1795760998165, '', 'active', 'file:///home/ada/mlruns/artifacts/78d6b91735d249d6924f4e01c898b52c/artifacts', 1, NULL);
INSERT INTO runs VALUES ('9d9d1526113148b1a1573276ce734853', 'delightful-lark-193', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1795760998244, NULL, '', 'active', 'file:///home/ada/mlruns/artifacts/9d9d1526113148b1a1573276ce734853/artifacts', 1, NULL);
INSERT INTO runs VALUES ('66d471e8c0f64d3baa31587325f1c119', 'resilient-quail-37', 'UNKNOWN', '', '', 'unknown', 'RUNNING', 1795760998307, NULL, '', 'deleted', 'file:///home/ada/mlruns/artifacts/66d471e8c0f64d3baa31587325f1c119/artifacts', 1, 1795760998388);
CREATE TABLE "tags" (
    "key" VARCHAR(250) NOT NULL,
    value VARCHAR(8000),
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO tags VALUES ('track.identity', 'a', '78d6b91735d249d6924f4e01c898b52c');
INSERT INTO tags VALUES ('parity', 'exact', '78d6b91735d249d6924f4e01c898b52c');
INSERT INTO tags VALUES ('sweep.s', '1', '78d6b91735d249d6924f4e01c898b52c');
INSERT INTO tags VALUES ('track.owner', 'h 1 1', '78d6b91735d249d6924f4e01c898b52c');
INSERT INTO tags VALUES ('track.identity', 'b', '9d9d1526113148b1a1573276ce734853');
INSERT INTO tags VALUES ('track.identity', 'a', '66d471e8c0f64d3baa31587325f1c119');
CREATE TABLE "latest_metrics" (
    "key" VARCHAR(250) NOT NULL,
    value FLOAT NOT NULL,
    timestamp BIGINT,
    step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL,
    run_uuid VARCHAR(32) NOT NULL,
    CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid),
    FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid),
    CHECK (is_nan IN (0, 1))
);
INSERT INTO latest_metrics VALUES ('test/f1_macro', 0.5, 1795760998091, 0, 0, '78d6b91735d249d6924f4e01c898b52c');
