with source as (

    select * from {{ source('clients', 'client') }}

),

renamed as (

    select
        client_id,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by client_id
