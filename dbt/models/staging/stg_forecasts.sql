{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'forecast') }}

),

renamed as (

    select
        run_id,
        symbol,
        model_name,
        horizon_sessions,
        model_version,
        mlflow_run_id,
        expected_log_return,
        stdev_log_return,
        lower_80_log_return,
        upper_80_log_return,
        lower_95_log_return,
        upper_95_log_return,
        interval_note,
        unit,
        confidence,
        serves,
        validation_rmse
    from source

)

select * from renamed
