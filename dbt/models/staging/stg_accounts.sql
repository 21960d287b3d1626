with source as (

    select * from {{ source('clients', 'account') }}

),

renamed as (

    select
        account_id,
        version,
        client_id,
        goal_id,
        tax_kind,
        share_kind,
        cash_buffer_cents,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by account_id
