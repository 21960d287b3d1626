{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'model_score') }}

),

renamed as (

    select
        source,
        session_date,
        model_name,
        horizon_sessions,
        training_run_id,
        model_version,
        mlflow_run_id,
        test_start,
        test_end,
        forecasts,
        mae,
        rmse,
        mae_to_naive,
        rmse_to_naive,
        r2_out_of_sample,
        coverage_80,
        confidence,
        serves
    from source

)

select * from renamed
