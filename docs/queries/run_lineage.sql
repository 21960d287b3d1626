-- Where does a run's advice come from: snapshot, features, model, code?
-- data_snapshot names the manifest under lake/manifests that lists every file with its digest.
select
    session_date,
    run_id,
    status,
    superseded_by,
    data_snapshot,
    file_count,
    row_count,
    feature_hash,
    model_name,
    model_version,
    mlflow_run_id,
    fitted_through,
    code_version,
    account_count,
    trade_count
from run_lineage
order by session_date desc, published_at desc;
