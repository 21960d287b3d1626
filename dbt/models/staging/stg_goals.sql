with source as (

    select * from {{ source('clients', 'goal') }}

),

renamed as (

    select
        goal_id,
        version,
        client_id,
        kind,
        target_cents,
        target_date,
        priority,
        recorded_at::timestamptz as recorded_at
    from source

)

select * from renamed
order by goal_id
