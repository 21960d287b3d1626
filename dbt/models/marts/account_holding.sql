with accounts as (

    select account_id, client_id, goal_id from {{ ref('stg_accounts') }}

),

holdings as (

    select account_id, symbol, quantity_micros from {{ ref('int_holdings') }}

),

cash_of_accounts_without as (

    select account_id, '$CASH' as symbol, 0::bigint as quantity_micros
    from accounts
    anti join (from holdings where symbol = '$CASH') as cash using (account_id)

),

positions as (

    select * from holdings
    union all by name
    select * from cash_of_accounts_without

),

prices as (

    select symbol, price_micros, price_session_date
    from {{ ref('int_last_price') }}
    where price_is_fresh

),

valued as (

    select
        accounts.account_id,
        accounts.client_id,
        accounts.goal_id,
        positions.symbol,
        instruments.asset_class,
        positions.quantity_micros,
        case when positions.symbol = '$CASH' then 1000000 else prices.price_micros end::bigint
            as price_micros,
        prices.price_session_date
    from accounts
    inner join positions using (account_id)
    left join prices using (symbol)
    left join {{ ref('stg_instruments') }} as instruments using (symbol)

),

in_cents as (

    select
        *,
        case when quantity_micros = 0 then 0
            else {{ divide_half_even('quantity_micros::hugeint * price_micros', '10000000000') }}
        end as exact_cents
    from valued

),

weighted as (

    select
        * exclude (exact_cents),
        {{ within_bigint('exact_cents') }} as value_cents,
        exact_cents::double
            / nullif(sum(exact_cents) over (partition by account_id), 0)::double as weight
    from in_cents

),

bases as (

    select
        account_id,
        symbol,
        case when count(*) = count(basis_cents)
            then {{ within_bigint('sum(basis_cents)') }}
        end as basis_cents
    from {{ ref('stg_tax_lots') }}
    group by account_id, symbol

),

final as (

    select
        weighted.*,
        targets.target_weight,
        weighted.weight - targets.target_weight as drift_weight,
        bases.basis_cents
    from weighted
    left join bases using (account_id, symbol)
    left join {{ ref('int_last_targets') }} as targets using (account_id, symbol)

)

select * from final
order by client_id, account_id, symbol
