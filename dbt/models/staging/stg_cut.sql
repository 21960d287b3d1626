with source as (

    select * from {{ source('run', 'cut') }}

),

renamed as (

    select
        source,
        session_date,
        known_at_cut::timestamptz as known_at_cut,
        oldest_fresh_session_date,
        data_snapshot
    from source

)

select * from renamed
