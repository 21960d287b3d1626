with events as (

    select * from {{ ref('int_account_events') }}

),

positions as (

    select
        account_id,
        symbol,
        {{ within_bigint('sum(quantity_micros)') }} as quantity_micros
    from events
    group by account_id, symbol
    having sum(quantity_micros) <> 0 or symbol = '$CASH'

),

split_since as (

    select distinct events.account_id, events.symbol
    from events
    inner join {{ ref('stg_actions') }} as actions
        on events.symbol = actions.symbol and events.session_date < actions.session_date
    where actions.kind = 'split'

),

final as (

    select
        positions.account_id,
        positions.symbol,
        -- A broker pays out the fraction that a split leaves where an account holds whole shares only.
        case when accounts.share_kind = 'whole' and split_since.symbol is not null
            then trunc(positions.quantity_micros / 1000000)::bigint * 1000000
            else positions.quantity_micros
        end as quantity_micros
    from positions
    left join split_since using (account_id, symbol)
    left join {{ ref('stg_accounts') }} as accounts using (account_id)

)

select * from final
order by account_id, symbol
