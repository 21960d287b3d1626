{#- As the models' labels: a bar at both ends and at least four fifths of those between. -#}
{%- set advice_horizon_sessions = 21 -%}

with advised as (

    select distinct session_date
    from {{ ref('stg_advice_runs') }}
    where status = 'published'

),

horizons as (

    select {{ advice_horizon_sessions }}::bigint as horizon_sessions
    union
    select horizon_sessions from {{ ref('stg_forecasts') }}

),

sessions as (

    select session_date, row_number() over (order by session_date) as session_number
    from {{ ref('stg_sessions') }}
    where session_date >= (select min(session_date) from advised)

),

periods as (

    select
        starts.session_date,
        horizons.horizon_sessions,
        ends.session_date as end_session_date
    from advised
    inner join sessions as starts using (session_date)
    cross join horizons
    inner join sessions as ends
        on starts.session_number + horizons.horizon_sessions = ends.session_number

),

bars as (

    select
        panel.symbol,
        panel.session_date,
        row_number() over symbols as bar_number,
        coalesce(sum(round_even(panel.log_return_1d * 1e15::double, 0)::hugeint) over symbols, 0)
            as cumulative_femtos
    from {{ ref('int_panel') }} as panel
    inner join sessions using (session_date)
    window symbols as (partition by panel.symbol order by panel.session_date)

),

-- Materialised, or the two sides would meet by session first, each symbol with every other.
starts as materialized (

    select
        periods.session_date,
        periods.horizon_sessions,
        periods.end_session_date,
        bars.symbol,
        bars.bar_number,
        bars.cumulative_femtos
    from periods
    inner join bars using (session_date)

),

final as (

    select
        starts.session_date,
        starts.symbol,
        starts.horizon_sessions,
        starts.end_session_date,
        ends.bar_number - starts.bar_number as bar_count,
        (ends.cumulative_femtos - starts.cumulative_femtos)::double / 1e15::double as log_return
    from starts
    inner join bars as ends
        on starts.symbol = ends.symbol and starts.end_session_date = ends.session_date
    where 5 * (ends.bar_number - starts.bar_number) >= 4 * starts.horizon_sessions

)

select * from final
order by session_date, symbol, horizon_sessions
