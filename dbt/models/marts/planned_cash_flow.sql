{#- Due dates are the first date and whole steps after it, as in int_planned_flows. -#}
with flows as (

    select
        *,
        case frequency when 'monthly' then 1 when 'quarterly' then 3 when 'yearly' then 12 else 0 end
            as step_months
    from {{ ref('stg_cash_flows') }}
    where status = 'planned'

),

counted as (

    select
        flows.*,
        cut.session_date,
        case when step_months = 0 then 0
            else greatest(0, datediff('month', first_date, cut.session_date) // step_months)
        end as step_count
    from flows
    cross join {{ ref('stg_cut') }} as cut

),

due as (

    select
        *,
        (first_date + to_months((step_count * step_months)::integer))::date as this_date,
        (first_date + to_months(((step_count + 1) * step_months)::integer))::date as following_date
    from counted

),

upcoming as (

    select
        *,
        case when this_date > session_date or step_months = 0 then this_date else following_date end
            as next_date
    from due

),

final as (

    select
        accounts.client_id,
        accounts.goal_id,
        upcoming.account_id,
        upcoming.cash_flow_id,
        case upcoming.kind when 'deposit' then upcoming.amount_cents else -upcoming.amount_cents end
            as signed_cents,
        upcoming.step_months::bigint as step_months,
        upcoming.next_date,
        upcoming.last_date
    from upcoming
    inner join {{ ref('stg_accounts') }} as accounts using (account_id)
    where
        upcoming.next_date > upcoming.session_date
        and (upcoming.last_date is null or upcoming.next_date <= upcoming.last_date)

)

select * from final
order by client_id, goal_id, cash_flow_id
