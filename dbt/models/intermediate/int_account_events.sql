{#-
  The newest recorded holdings are the truth; transactions say how they came about. Recorded
  holdings contain whatever was executed before they were recorded, and what the transactions
  between two recordings do not explain was transferred from outside or to it. What was once
  recorded by mistake may be beyond 64 bits: it cancels out exactly in 128.
-#}
{%- set external = "('deposit', 'withdrawal', 'transfer_in', 'transfer_out')" -%}

with holdings as (

    select
        *,
        (recorded_at at time zone 'America/New_York')::date as as_of_date
    from {{ ref('stg_holdings') }}

),

versions as (

    select
        account_id,
        version,
        max(recorded_at) as recorded_at,
        max(as_of_date) as as_of_date,
        version = min(version) over (partition by account_id) as is_first,
        lead(version) over (partition by account_id order by version) as next_version
    from holdings
    group by account_id, version

),

transactions as (

    select transactions.*
    from {{ ref('stg_transactions') }} as transactions
    anti join {{ ref('stg_transactions') }} as reversals
        on transactions.transaction_id = reversals.reverses
    where transactions.reverses is null

),

movements as (

    select
        account_id,
        '$CASH' as symbol,
        trade_date,
        executed_at,
        cash_cents::hugeint * 10000 as quantity_micros,
        kind in {{ external }} as is_external
    from transactions
    union all by name
    select
        account_id,
        symbol,
        trade_date,
        executed_at,
        quantity_micros,
        kind in {{ external }} as is_external
    from transactions
    where symbol <> '$CASH' and kind <> 'split'

),

later_splits as (

    select
        stated.symbol,
        stated.as_of_date,
        list_product(list(actions.amount order by actions.session_date)) as share_ratio
    from (
        select symbol, as_of_date from holdings
        union
        select symbol, trade_date from movements
    ) as stated
    inner join {{ ref('stg_actions') }} as actions
        on stated.symbol = actions.symbol and stated.as_of_date < actions.session_date
    where actions.kind = 'split'
    group by stated.symbol, stated.as_of_date

),

recorded as (

    select
        holdings.account_id,
        holdings.version,
        holdings.symbol,
        case when later_splits.share_ratio is null then holdings.quantity_micros
            else round_even(holdings.quantity_micros * later_splits.share_ratio, 0)::hugeint
        end as quantity_micros
    from holdings
    left join later_splits using (symbol, as_of_date)

),

moved as (

    select
        movements.account_id,
        movements.symbol,
        case when later_splits.share_ratio is null then movements.quantity_micros
            else round_even(movements.quantity_micros * later_splits.share_ratio, 0)::hugeint
        end as quantity_micros,
        movements.is_external,
        movements.trade_date,
        versions.version,
        coalesce(versions.is_first, false) as is_contained
    from movements
    left join later_splits
        on movements.symbol = later_splits.symbol
        and movements.trade_date = later_splits.as_of_date
    asof left join versions
        on movements.account_id = versions.account_id
        and movements.executed_at <= versions.recorded_at
    where movements.quantity_micros <> 0

),

unexplained as (

    select
        stated.account_id,
        stated.symbol,
        versions.as_of_date,
        sum(stated.quantity_micros) as quantity_micros
    from (
        select account_id, version, symbol, quantity_micros from recorded
        union all
        select
            recorded.account_id,
            versions.next_version,
            recorded.symbol,
            -recorded.quantity_micros
        from recorded
        inner join versions using (account_id, version)
        where versions.next_version is not null
        union all
        select account_id, version, symbol, -quantity_micros
        from moved
        where version is not null and not is_contained
    ) as stated
    inner join versions using (account_id, version)
    group by stated.account_id, stated.symbol, stated.version, versions.as_of_date
    having sum(stated.quantity_micros) <> 0

),

events as (

    select
        unexplained.account_id,
        sessions.session_date,
        unexplained.symbol,
        unexplained.quantity_micros,
        true as is_external
    from unexplained
    asof join {{ ref('stg_sessions') }} as sessions
        on unexplained.as_of_date >= sessions.session_date
    union all by name
    select
        moved.account_id,
        sessions.session_date,
        moved.symbol,
        moved.quantity_micros,
        moved.is_external
    from moved
    asof join {{ ref('stg_sessions') }} as sessions
        on moved.trade_date <= sessions.session_date
    where not moved.is_contained

),

final as (

    select
        account_id,
        session_date,
        symbol,
        sum(quantity_micros) as quantity_micros,
        coalesce(sum(quantity_micros) filter (where is_external), 0) as external_micros
    from events
    group by account_id, session_date, symbol

)

select * from final
order by account_id, session_date, symbol
