with positions as (

    select
        account_id,
        symbol,
        sum(quantity_micros)::bigint as quantity_micros
    from {{ ref('int_account_events') }}
    group by account_id, symbol
    having sum(quantity_micros) <> 0 or symbol = '$CASH'

)

select
    positions.account_id,
    positions.symbol,
    -- A broker pays out the fraction that a split leaves where an account holds whole shares only.
    case when accounts.share_kind = 'whole' and positions.symbol <> '$CASH'
        then trunc(positions.quantity_micros / 1000000)::bigint * 1000000
        else positions.quantity_micros
    end as quantity_micros
from positions
left join {{ ref('stg_accounts') }} as accounts using (account_id)
order by positions.account_id, positions.symbol
