with reversals as (

    select reverses as transaction_id
    from {{ ref('stg_transactions') }}
    where reverses is not null

),

sales as (

    select
        sales.transaction_id,
        sales.lot_id,
        sales.account_id,
        sales.symbol,
        sales.sold_date,
        sales.quantity_micros,
        sales.basis_cents::hugeint - sales.proceeds_cents as loss_cents
    from {{ ref('stg_lot_sales') }} as sales
    anti join reversals using (transaction_id)
    where sales.basis_cents > sales.proceeds_cents

),

matched as (

    select
        transaction_id,
        lot_id,
        sum(quantity_micros) as quantity_micros,
        sum(disallowed_cents) as disallowed_cents
    from {{ ref('stg_wash_sales') }}
    group by transaction_id, lot_id

),

final as (

    select
        accounts.client_id,
        sales.account_id,
        sales.transaction_id,
        sales.lot_id,
        sales.symbol,
        sales.sold_date,
        {{ within_bigint('sales.quantity_micros - coalesce(matched.quantity_micros, 0)') }} as unmatched_micros,
        {{ within_bigint('sales.loss_cents - coalesce(matched.disallowed_cents, 0)') }} as loss_cents
    from sales
    inner join {{ ref('stg_accounts') }} as accounts using (account_id)
    inner join {{ ref('stg_cut') }} as cut
        on sales.sold_date between cut.session_date - 30 and cut.session_date
    left join matched using (transaction_id, lot_id)
    where accounts.tax_kind = 'taxable'
        and sales.quantity_micros > coalesce(matched.quantity_micros, 0)
        and sales.loss_cents > coalesce(matched.disallowed_cents, 0)

)

select * from final
order by client_id, account_id, transaction_id, lot_id
