{{ config(materialized='view') }}

with source as (

    select * from {{ source('advice', 'model_check') }}

),

renamed as (

    select
        source,
        session_date,
        training_run_id,
        model_name,
        retraining_due,
        reason,
        age_sessions,
        realised_sessions,
        rolling_rmse_to_naive,
        rolling_skill_p_value,
        rolling_coverage_80,
        coverage_80_lowest,
        coverage_80_highest,
        drifted_features,
        most_drifted_feature,
        largest_drift
    from source

)

select * from renamed
