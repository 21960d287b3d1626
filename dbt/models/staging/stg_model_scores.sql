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
        period,
        training_run_id,
        model_version,
        mlflow_run_id,
        period_start,
        period_end,
        forecasts,
        sessions,
        symbols,
        mae,
        rmse,
        mae_to_naive,
        rmse_to_naive,
        r2_out_of_sample,
        rank_ic,
        rank_ic_t,
        hit_rate,
        majority_rate,
        hit_rate_t,
        dm_naive,
        dm_naive_p_value,
        dm_naive_p_value_apart,
        dm_mean,
        dm_mean_p_value,
        dm_mean_p_value_apart,
        symbols_better,
        symbols_worse,
        coverage_80,
        width_80,
        unbounded_80,
        coverage_95,
        width_95,
        unbounded_95,
        seeds,
        rmse_to_naive_seed_lowest,
        rmse_to_naive_seed_highest,
        rmse_to_naive_seed_stdev,
        trials,
        confidence,
        serves
    from source

)

select * from renamed
