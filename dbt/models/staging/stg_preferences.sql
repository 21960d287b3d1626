with source as (

    select * from {{ source('clients', 'preference') }}

),

renamed as (

    select
        client_id,
        version,
        kind,
        subject,
        limit_weight,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by client_id, kind, subject
