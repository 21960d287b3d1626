with source as (

    select * from {{ source('run', 'series') }}

),

renamed as (

    select
        series_id,
        name,
        unit,
        revised as is_revised,
        is_daily,
        stale_after_days
    from source

)

select * from renamed
order by series_id
