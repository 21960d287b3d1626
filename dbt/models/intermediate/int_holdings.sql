{#- A holding recorded on the ex-date of a split is taken to be in new shares already. -#}
with holdings as (

    select
        account_id,
        version,
        symbol,
        quantity_micros,
        (recorded_at at time zone 'America/New_York')::date as recorded_date
    from {{ ref('stg_holdings') }}

),

splits_since as (

    select
        holdings.account_id,
        holdings.symbol,
        list_product(list(actions.amount order by actions.session_date)) as share_ratio
    from holdings
    inner join {{ ref('stg_actions') }} as actions
        on holdings.symbol = actions.symbol
        and holdings.recorded_date < actions.session_date
    where actions.kind = 'split'
    group by holdings.account_id, holdings.symbol

),

in_new_shares as (

    select
        holdings.account_id,
        holdings.version,
        holdings.symbol,
        holdings.quantity_micros as recorded_quantity_micros,
        coalesce(splits_since.share_ratio, 1)::double as share_ratio,
        case when splits_since.symbol is null then holdings.quantity_micros
            else round_even(holdings.quantity_micros * splits_since.share_ratio, 0)::bigint
        end as quantity_micros
    from holdings
    left join splits_since using (account_id, symbol)

)

select
    in_new_shares.account_id,
    in_new_shares.version,
    in_new_shares.symbol,
    in_new_shares.recorded_quantity_micros,
    in_new_shares.share_ratio,
    -- A broker pays out the fraction that a split leaves where an account holds whole shares only.
    case when accounts.share_kind = 'whole' and in_new_shares.share_ratio <> 1
        then trunc(in_new_shares.quantity_micros / 1000000)::bigint * 1000000
        else in_new_shares.quantity_micros
    end as quantity_micros
from in_new_shares
left join {{ ref('stg_accounts') }} as accounts using (account_id)
order by in_new_shares.account_id, in_new_shares.symbol
