with runs as (

    select * from {{ ref('stg_advice_runs') }}

),

choices as (

    select * from {{ ref('stg_model_choices') }}

),

successors as (

    select supersedes as run_id, max_by(run_id, (published_at, run_id)) as superseded_by
    from runs
    where supersedes is not null
    group by supersedes

),

advised as (

    select
        run_id,
        count(*) as account_count,
        sum(trade_count)::bigint as trade_count
    from {{ ref('advice') }}
    group by run_id

),

final as (

    select
        runs.run_id,
        runs.source,
        runs.session_date,
        runs.status,
        case when runs.status = 'superseded' then successors.superseded_by end as superseded_by,
        runs.data_snapshot,
        runs.file_count,
        runs.row_count,
        runs.feature_hash,
        runs.model_name,
        runs.model_version,
        runs.mlflow_run_id,
        choices.training_run_id,
        choices.fitted_through,
        choices.trained_through,
        runs.config_hash,
        runs.history_hash,
        runs.code_version,
        runs.started_at,
        runs.published_at,
        advised.account_count,
        advised.trade_count
    from runs
    left join successors using (run_id)
    left join advised using (run_id)
    left join choices
        on runs.source = choices.source
        and runs.session_date = choices.session_date
        and runs.mlflow_run_id = choices.mlflow_run_id

)

select * from final
order by session_date, published_at, run_id
