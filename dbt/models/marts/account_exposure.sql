with holdings as (

    select
        account_id,
        client_id,
        goal_id,
        case when symbol = '$CASH' then 'cash' else coalesce(asset_class, 'unclassified') end
            as asset_class,
        value_cents
    from {{ ref('account_holding') }}

),

exposures as (

    select
        account_id,
        client_id,
        goal_id,
        asset_class,
        {{ within_bigint('coalesce(sum(value_cents), 0)') }} as value_cents,
        count(*) - count(value_cents) as unpriced_count
    from holdings
    group by account_id, client_id, goal_id, asset_class

),

final as (

    select
        *,
        value_cents::double
            / nullif(sum(value_cents) over (partition by account_id), 0)::double as weight,
        value_cents::double
            / nullif(sum(value_cents) over (partition by client_id, goal_id), 0)::double as goal_weight
    from exposures

)

select * from final
order by account_id, asset_class
