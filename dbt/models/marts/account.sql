with accounts as (

    select * from {{ ref('stg_accounts') }}

),

holding_versions as (

    select account_id, max(version) as holding_version
    from {{ ref('stg_holdings') }}
    group by account_id

),

worth as (

    select
        account_id,
        sum(quantity_micros) filter (where symbol = '$CASH') as cash_micros,
        sum(value_cents) as wealth_cents,
        count(*) filter (where symbol <> '$CASH') as holding_count,
        count(*) filter (where value_cents is null) as unpriced_count
    from {{ ref('account_holding') }}
    group by account_id

),

gaps as (

    select
        account_id,
        symbol,
        max(target_run_id) over (partition by account_id) as target_run_id,
        abs(coalesce(held.weight, 0) - coalesce(targets.target_weight, 0)) as gap
    from (select account_id, symbol, weight from {{ ref('account_holding') }}) as held
    full join {{ ref('int_last_targets') }} as targets using (account_id, symbol)

),

drifts as (

    select
        account_id,
        target_run_id,
        list_sum(list(gap order by symbol)) / 2 as drift
    from gaps
    where target_run_id is not null
    group by account_id, target_run_id

),

planned as (

    select account_id, withdrawal_3m_cents, net_flow_1y_cents
    from {{ ref('int_planned_flows') }}

),

final as (

    select
        accounts.account_id,
        accounts.version as account_version,
        holding_versions.holding_version,
        accounts.client_id,
        accounts.goal_id,
        accounts.tax_kind,
        accounts.share_kind,
        accounts.cash_buffer_cents,
        {{ within_bigint('worth.cash_micros') }} as cash_micros,
        {{ within_bigint('worth.wealth_cents') }} as wealth_cents,
        worth.holding_count,
        worth.unpriced_count,
        drifts.target_run_id,
        case when worth.unpriced_count = 0 and worth.wealth_cents > 0 then drifts.drift end as drift,
        coalesce(planned.withdrawal_3m_cents, 0)::bigint as planned_withdrawal_3m_cents,
        coalesce(planned.net_flow_1y_cents, 0)::bigint as planned_net_flow_1y_cents,
        case
            when goals.goal_id is null then 'goal_missing'
            when worth.unpriced_count > 0 then 'unpriced_holding'
            when worth.wealth_cents <= 0 then 'empty'
        end as issue
    from accounts
    inner join worth using (account_id)
    left join holding_versions using (account_id)
    left join drifts using (account_id)
    left join planned using (account_id)
    left join {{ ref('stg_goals') }} as goals
        on accounts.goal_id = goals.goal_id and accounts.client_id = goals.client_id

)

select * from final
order by client_id, account_id
