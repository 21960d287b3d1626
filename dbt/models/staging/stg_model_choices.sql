{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'model_choice') }}

),

renamed as (

    select
        source,
        session_date,
        decision,
        role,
        reason,
        model_name,
        model_version,
        mlflow_run_id,
        training_run_id,
        method,
        fitted_through,
        trained_through,
        decided_at::timestamptz as decided_at
    from source

)

select * from renamed
