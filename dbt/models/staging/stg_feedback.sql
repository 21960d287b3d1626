with source as (

    select * from {{ source('clients', 'feedback') }}

),

renamed as (

    select
        feedback_id,
        client_id,
        run_id,
        account_id,
        trade_id,
        verdict,
        reason,
        rating,
        given_at::timestamptz as given_at,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by feedback_id
