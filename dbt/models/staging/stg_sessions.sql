with source as (

    select * from {{ source('run', 'session') }}

),

renamed as (

    select
        session_date,
        available_at::timestamptz as available_at,
        known_at_cut::timestamptz as known_at_cut,
        is_half_day,
        next_session_date,
        sessions_to_month_end,
        sessions_to_quarter_end
    from source

)

select * from renamed
order by session_date
