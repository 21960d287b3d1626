{#- Like holdings, lots are in the shares of the day they were recorded: later splits change them. -#}
with lots as (

    select
        *,
        (recorded_at at time zone 'America/New_York')::date as as_of_date
    from {{ ref('stg_tax_lots') }}
    -- An account whose last lot was sold has a row of cash in its place.
    where symbol <> '$CASH'

),

replacements as (

    select distinct replacement_lot_id as lot_id
    from {{ ref('stg_wash_sales') }}

),

later_splits as (

    select
        stated.symbol,
        stated.as_of_date,
        list_product(list(actions.amount order by actions.session_date)) as share_ratio
    from (select distinct symbol, as_of_date from lots) as stated
    inner join {{ ref('stg_actions') }} as actions
        on stated.symbol = actions.symbol and stated.as_of_date < actions.session_date
    where actions.kind = 'split'
    group by stated.symbol, stated.as_of_date

),

final as (

    select
        accounts.client_id,
        lots.account_id,
        lots.symbol,
        lots.lot_id,
        lots.version as lot_version,
        {{ within_bigint('case when later_splits.share_ratio is null then lots.quantity_micros
            else round_even(lots.quantity_micros * later_splits.share_ratio, 0)::hugeint
        end') }} as quantity_micros,
        lots.basis_cents,
        lots.acquired_date,
        coalesce(lots.holding_period_start_date, lots.acquired_date) as held_since_date,
        -- A forfeited loss is in no basis.
        lots.carried_over_loss_cents > 0 or replacements.lot_id is not null as is_replacement
    from lots
    inner join {{ ref('stg_accounts') }} as accounts using (account_id)
    left join later_splits using (symbol, as_of_date)
    left join replacements using (lot_id)

)

select * from final
order by client_id, account_id, symbol, lot_id
