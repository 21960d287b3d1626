{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'model_evidence') }}

),

renamed as (

    select
        source,
        session_date,
        training_run_id,
        model_name,
        against,
        horizon_sessions,
        from_session_date,
        to_session_date,
        sessions,
        loss_difference,
        statistic,
        p_value,
        p_value_corrected,
        passed
    from source

)

select * from renamed
