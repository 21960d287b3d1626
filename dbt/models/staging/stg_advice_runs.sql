{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'advice_run') }}

),

renamed as (

    select
        run_id,
        source,
        session_date,
        status,
        data_snapshot,
        feature_hash,
        model_name,
        model_version,
        mlflow_run_id,
        config_hash,
        history_hash,
        code_version,
        started_at::timestamptz as started_at,
        published_at::timestamptz as published_at,
        supersedes,
        file_count,
        row_count
    from source

)

select * from renamed
