with runs as (

    select run_id, session_date
    from {{ ref('stg_advice_runs') }}
    where status = 'published'

),

forecasts as (

    select * from {{ ref('stg_forecasts') }}

),

final as (

    select
        runs.session_date,
        forecasts.symbol,
        forecasts.model_name,
        forecasts.horizon_sessions,
        forecasts.run_id,
        forecasts.model_version,
        forecasts.mlflow_run_id,
        forecasts.serves,
        forecasts.confidence,
        forecasts.expected_log_return,
        forecasts.lower_80_log_return,
        forecasts.upper_80_log_return,
        forecasts.lower_95_log_return,
        forecasts.upper_95_log_return,
        returns.end_session_date,
        returns.log_return as realised_log_return,
        returns.log_return - forecasts.expected_log_return as error,
        {%- for level in [80, 95] %}
        returns.log_return between
        coalesce(forecasts.lower_{{ level }}_log_return, '-inf')
        and coalesce(forecasts.upper_{{ level }}_log_return, 'inf') as is_inside_{{ level }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from forecasts
    inner join runs using (run_id)
    left join {{ ref('int_forward_returns') }} as returns
        on runs.session_date = returns.session_date
        and forecasts.symbol = returns.symbol
        and forecasts.horizon_sessions = returns.horizon_sessions

)

select * from final
order by session_date, symbol, model_name, horizon_sessions
