{%- set horizon_sessions = 21 -%}

with targets as (

    select run_id, account_id, client_id, session_date, wealth_cents, fees_cents
    from {{ ref('advice') }}
    where run_id = allocation_run_id

),

returns as (

    select session_date, symbol, end_session_date, exp(log_return) - 1 as simple_return
    from {{ ref('int_forward_returns') }}
    where horizon_sessions = {{ horizon_sessions }}

),

periods as (

    select distinct session_date, end_session_date from returns

),

positions as (

    select
        allocations.run_id,
        allocations.account_id,
        targets.session_date,
        allocations.symbol,
        allocations.weight,
        allocations.current_weight,
        case when allocations.symbol = '$CASH' then 0 else returns.simple_return end
            as simple_return
    from {{ ref('stg_allocations') }} as allocations
    inner join targets using (run_id, account_id)
    left join returns
        on targets.session_date = returns.session_date and allocations.symbol = returns.symbol

),

members as (

    select distinct positions.run_id, positions.session_date, positions.symbol
    from positions
    left join {{ ref('stg_universe') }} as universe
        on positions.symbol = universe.symbol
        and positions.session_date between
            universe.member_from and coalesce(universe.member_until, positions.session_date)
    where universe.symbol is not null or not exists (from {{ ref('stg_universe') }})

),

benchmarks as (

    select
        members.run_id,
        {{ exact_sum('instruments.reference_weight * returns.simple_return') }}
        / {{ exact_sum('instruments.reference_weight') }} as simple_return
    from members
    inner join {{ ref('stg_instruments') }} as instruments using (symbol)
    inner join returns
        on members.session_date = returns.session_date and members.symbol = returns.symbol
    group by members.run_id

),

results as (

    select
        run_id,
        account_id,
        count(*) filter (
            where simple_return is null and (weight <> 0 or current_weight <> 0)
        ) as unpriced_count,
        {{ exact_sum('weight * simple_return') }} as target_return,
        {{ exact_sum('current_weight * simple_return') }} as unchanged_return
    from positions
    group by run_id, account_id

),

realised as (

    select
        targets.*,
        periods.end_session_date,
        case when periods.end_session_date is not null then results.unpriced_count end
            as unpriced_count,
        case when periods.end_session_date is not null and results.unpriced_count = 0
            then results.target_return
                - targets.fees_cents::double / nullif(targets.wealth_cents, 0)
        end as advised_return,
        case when periods.end_session_date is not null and results.unpriced_count = 0
            then results.unchanged_return
        end as unchanged_return,
        benchmarks.simple_return as benchmark_return
    from targets
    inner join results using (run_id, account_id)
    left join periods using (session_date)
    left join benchmarks using (run_id)

),

final as (

    select
        run_id,
        session_date,
        account_id,
        client_id,
        end_session_date,
        unpriced_count,
        advised_return as advised_return_21d,
        unchanged_return as unchanged_return_21d,
        benchmark_return as benchmark_return_21d,
        advised_return - unchanged_return as gain_over_unchanged_21d,
        advised_return - benchmark_return as gain_over_benchmark_21d
    from realised

)

select * from final
order by session_date, account_id
