with results as (

    select * from {{ ref('forecast_result') }}

),

ranked as (

    select
        session_date,
        model_name,
        horizon_sessions,
        -- Twice the mean rank of ties, which is whole.
        2 * rank() over (of_date order by expected_log_return)
        + count(*) over (of_date_and_forecast) - 1 as forecast_rank,
        2 * rank() over (of_date order by realised_log_return)
        + count(*) over (of_date_and_outcome) - 1 as outcome_rank
    from results
    where realised_log_return is not null
    window
        of_date as (partition by session_date, model_name, horizon_sessions),
        of_date_and_forecast as (
            partition by session_date, model_name, horizon_sessions, expected_log_return
        ),
        of_date_and_outcome as (
            partition by session_date, model_name, horizon_sessions, realised_log_return
        )

),

rank_sums as (

    select
        session_date,
        model_name,
        horizon_sessions,
        count(*) * sum((forecast_rank * outcome_rank)::hugeint)
        - sum(forecast_rank::hugeint) * sum(outcome_rank::hugeint) as covariance,
        count(*) * sum((forecast_rank * forecast_rank)::hugeint)
        - sum(forecast_rank::hugeint) * sum(forecast_rank::hugeint) as forecast_variance,
        count(*) * sum((outcome_rank * outcome_rank)::hugeint)
        - sum(outcome_rank::hugeint) * sum(outcome_rank::hugeint) as outcome_variance
    from ranked
    group by session_date, model_name, horizon_sessions

),

correlations as (

    select
        session_date,
        model_name,
        horizon_sessions,
        covariance::double / sqrt(forecast_variance::double * outcome_variance::double)
            as rank_correlation
    from rank_sums
    where forecast_variance > 0 and outcome_variance > 0

),

accuracy as (

    select
        session_date,
        model_name,
        horizon_sessions,
        min(run_id) as run_id,
        min(model_version) as model_version,
        bool_or(serves) as serves,
        max(end_session_date) as end_session_date,
        count(*) as forecast_count,
        count(realised_log_return) as realised_count,
        {{ exact_sum('error') }} / count(error) as mean_error,
        {{ exact_sum('abs(error)') }} / count(error) as mae,
        sqrt({{ exact_sum('error * error') }} / count(error)) as rmse,
        {{ exact_sum('abs(realised_log_return)') }} / count(error) as naive_mae,
        sqrt({{ exact_sum('realised_log_return * realised_log_return') }} / count(error))
            as naive_rmse,
        {%- for level in [80, 95] %}
        (count(*) filter (where is_inside_{{ level }}))::double / nullif(count(error), 0)
            as coverage_{{ level }},
        (
            count(*) filter (
                where error is not null
                and (lower_{{ level }}_log_return is null or upper_{{ level }}_log_return is null)
            )
        )::double / nullif(count(error), 0) as unbounded_{{ level }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from results
    group by session_date, model_name, horizon_sessions

),

final as (

    select
        accuracy.*,
        accuracy.mae / nullif(accuracy.naive_mae, 0) as mae_to_naive,
        accuracy.rmse / nullif(accuracy.naive_rmse, 0) as rmse_to_naive,
        correlations.rank_correlation
    from accuracy
    left join correlations using (session_date, model_name, horizon_sessions)

)

select * from final
order by session_date, model_name, horizon_sessions
