{#- Due dates are the first date and whole steps after it: the 31st falls on the last of a month. -#}
with flows as (

    select
        account_id,
        case kind when 'deposit' then amount_cents else -amount_cents end as signed_cents,
        first_date,
        case frequency when 'monthly' then 1 when 'quarterly' then 3 when 'yearly' then 12 end
            as step_months,
        least(last_date, (cut.session_date + interval 1 year)::date) as end_date,
        cut.session_date
    from {{ ref('stg_cash_flows') }}
    cross join {{ ref('stg_cut') }} as cut
    where status = 'planned'

),

due as (

    select
        account_id,
        session_date,
        signed_cents,
        end_date,
        (first_date + to_months(
            (coalesce(step_months, 0) * unnest(
                case when step_months is null then [0]
                    else range(0, datediff('month', first_date, end_date) // step_months + 1)
                end
            ))::integer
        ))::date as due_date
    from flows

),

final as (

    select
        account_id,
        {{ within_bigint('coalesce(sum(-signed_cents) filter (
            where signed_cents < 0 and due_date <= session_date + interval 3 months
        ), 0)') }} as withdrawal_3m_cents,
        {{ within_bigint('coalesce(sum(signed_cents), 0)') }} as net_flow_1y_cents
    from due
    where due_date > session_date and due_date <= end_date
    group by account_id

)

select * from final
order by account_id
