with source as (

    select * from {{ source('run', 'session') }}

),

renamed as (

    select
        session_date,
        available_at::timestamptz as available_at
    from source

)

select * from renamed
order by session_date
