{%- set days_per_year = 365.25 -%}

with returns as (

    select * from {{ ref('int_period_returns') }}

),

final as (

    select
        owner_kind,
        owner_id,
        client_id,
        period,
        start_session_date,
        days,
        round_even(start_worth * 100, 0)::bigint as start_worth_cents,
        round_even(end_worth * 100, 0)::bigint as end_worth_cents,
        round_even(net_flow * 100, 0)::bigint as net_flow_cents,
        time_weighted_return,
        case when days >= {{ days_per_year }}
            then pow(1 + time_weighted_return, {{ days_per_year }} / days) - 1
        end as time_weighted_return_annual,
        money_weighted_return,
        case when days >= {{ days_per_year }}
            then pow(1 + money_weighted_return, {{ days_per_year }} / days) - 1
        end as money_weighted_return_annual,
        issue
    from returns

)

select * from final
order by owner_kind, owner_id, period
