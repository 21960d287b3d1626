with worth as (

    select
        client_id,
        goal_id,
        count(*) as account_count,
        sum(wealth_cents) as wealth_cents,
        sum(cash_micros) // 10000 as cash_cents,
        sum(unpriced_count) as unpriced_count,
        sum(planned_net_flow_1y_cents) as planned_net_flow_1y_cents
    from {{ ref('account') }}
    group by client_id, goal_id

),

classes as (

    select
        client_id,
        goal_id,
        list(distinct asset_class order by asset_class) as asset_classes
    from {{ ref('account_exposure') }}
    where value_cents > 0
    group by client_id, goal_id

),

final as (

    select
        goals.goal_id,
        goals.version as goal_version,
        goals.client_id,
        goals.kind,
        goals.priority,
        goals.target_date,
        goals.target_cents,
        coalesce(worth.account_count, 0) as account_count,
        {{ within_bigint('coalesce(worth.wealth_cents, 0)') }} as wealth_cents,
        {{ within_bigint('coalesce(worth.cash_cents, 0)') }} as cash_cents,
        coalesce(worth.unpriced_count, 0)::bigint as unpriced_count,
        {{ within_bigint('coalesce(worth.planned_net_flow_1y_cents, 0)') }}
            as planned_net_flow_1y_cents,
        case when coalesce(worth.unpriced_count, 0) = 0
            then coalesce(worth.wealth_cents, 0)::double / goals.target_cents
        end as funded_share,
        coalesce(classes.asset_classes, []) as asset_classes
    from {{ ref('stg_goals') }} as goals
    left join worth using (client_id, goal_id)
    left join classes using (client_id, goal_id)

)

select * from final
order by goal_id
