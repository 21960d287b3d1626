with reversals as (

    select reverses as transaction_id, min(recorded_at) as reversed_at
    from {{ ref('stg_transactions') }}
    where reverses is not null
    group by reverses

),

final as (

    select
        accounts.client_id,
        transactions.account_id,
        transactions.transaction_id,
        transactions.kind,
        transactions.trade_id,
        transactions.symbol,
        transactions.quantity_micros,
        transactions.price_micros,
        transactions.fee_cents,
        transactions.cash_cents,
        transactions.trade_date,
        transactions.recorded_at,
        reversals.reversed_at
    from {{ ref('stg_transactions') }} as transactions
    inner join {{ ref('stg_accounts') }} as accounts using (account_id)
    left join reversals using (transaction_id)
    where transactions.reverses is null

)

select * from final
order by client_id, account_id, transaction_id
